"""Events to tensors: encoders, scaler values, class balance and reweighting."""
