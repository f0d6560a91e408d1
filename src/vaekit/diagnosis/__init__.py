"""What is wrong with a trained model: symptom, evidence, likely cause, remedy."""
