"""Surveys to fit: packed into preprocessed shards, and handed out in groups."""
