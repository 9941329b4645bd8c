"""What a user declares: values only, nothing here touches the world."""
