"""What a run leaves behind: its metrics, its verdict and one self-contained HTML page."""
