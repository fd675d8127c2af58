"""Tables that the user has, joined to the stars by identifier or by place in the sky."""
