"""Training the network that knows what lies in front of a face: `obs_facelive.mask.occlusion` runs it, ``models/`` ships it."""
