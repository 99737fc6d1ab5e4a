"""Making a task: checks of its data, freezing, sealing, verification, and the template."""
