"""Who holds a localpart. One table and a unique column, so that no two people are ever promised one name."""
