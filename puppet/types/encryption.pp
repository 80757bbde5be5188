# @summary Whether backups are encrypted. YAML makes booleans of yes and no, so these will do as well.
type Check_duplicity::Encryption = Variant[Enum['yes', 'no', 'required'], Boolean]
