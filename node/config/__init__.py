"""The scenario (what flies) and the installation (this board): TOML in, checked structs out."""
