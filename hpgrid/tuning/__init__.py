"""What a bound says about tuning, for a person: a survey of budgets, what to set at one, what reaches a target."""
