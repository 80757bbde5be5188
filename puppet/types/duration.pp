# @summary How long, as both systemd and the programs read it: 90 (seconds), 20m, 2h, 1d12h; a week at most is of use.
type Check_duplicity::Duration = Variant[
  Integer[1, 604800],
  Pattern[/\A(?=.*[1-9])(?:\d{1,6}|(?:\d{1,6}(?:\.\d{1,6})?[smhdw])+)\z/]
]
