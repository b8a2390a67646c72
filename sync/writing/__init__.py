"""What is written into the CRM: plans and what they may touch, applying them, taking them back."""
