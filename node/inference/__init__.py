"""Runs ONNX models in a worker process."""
