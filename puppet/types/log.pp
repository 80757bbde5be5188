# @summary Where runs are read: a path, also a pattern, or what the journal has of a unit (`journal:UNIT`) or a tag (`journal:tag=TAG`).
type Check_duplicity::Log = Variant[Check_duplicity::Path, Pattern[/\Ajournal:(tag=)?[A-Za-z0-9_@:.*?\\-]+(,\/[^[:cntrl:]]*)?\z/]]
