-- An answer can be relayed from another service, with what that service said.
ALTER TABLE acknowledgement ADD COLUMN IF NOT EXISTS `relayed_by` Nullable(String) AFTER `change_digest`;

ALTER TABLE acknowledgement ADD COLUMN IF NOT EXISTS `evidence` Nullable(String) AFTER `relayed_by`;
