"""All real mail that is beside the project: what goes in comes out, by every way in and out."""
