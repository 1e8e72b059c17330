"""Which losses, targets, policies and heads agree best with people on the generated world, by how many ratings."""
