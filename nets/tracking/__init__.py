"""Where trainings are told of, to be compared with others: TensorBoard, W&B, MLflow."""
