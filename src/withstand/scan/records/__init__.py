"""What a scan leaves behind: findings known, accepted, merged, shared out, replayed."""
