"""How operations are executed: as graphql-core does, and faster where an object has nothing but plain fields."""
