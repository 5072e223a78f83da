"""The app: pages that arrange what runs and plots give, and hold no mathematics."""
