"""What every package stands on: database, web guards, live connection, text, clock, jobs, audit, errors."""
