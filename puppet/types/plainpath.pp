# @summary An absolute path that needs no quotes anywhere, least of all in sudoers: no blanks, no wildcards, no dots alone.
type Check_duplicity::Plainpath = Pattern[/\A(?:\/(?!\.{1,2}(?:\/|\z))[A-Za-z0-9_.+-]+)+\z/]
