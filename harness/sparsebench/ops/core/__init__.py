"""What a primitive is: its arguments, its charges, how it is run steadily."""
