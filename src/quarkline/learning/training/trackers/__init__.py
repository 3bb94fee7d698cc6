"""Shows trainings elsewhere while they run: TensorBoard, MLflow, W&B; never part of a result."""
