"""Why it is wrong: the slip that a person has made."""
