"""What scores are made with: columns of numbers and texts, counts that add up, points and odds, points learned."""
