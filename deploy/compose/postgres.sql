-- The first start of the database server runs this. The messaging database,
-- mailyard, is made by the image; tenants, folders and mailboxes are in another.
CREATE DATABASE control;
