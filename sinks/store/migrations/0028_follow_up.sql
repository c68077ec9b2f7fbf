-- The attestation of a follow-up states what the review says, as JSON.
ALTER TABLE attestation ADD COLUMN IF NOT EXISTS `statement` Nullable(String) AFTER `signature`;
