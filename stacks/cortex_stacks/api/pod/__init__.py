"""What a replica is: its containers, and the folders that they see."""
