-- The key of the tokens that stand for numbers of the whole installation (package
-- opaque). It is no secret of the landlord's: what it hides stands next to it.
CREATE TABLE opaque_key (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    value        BYTEA NOT NULL
);
