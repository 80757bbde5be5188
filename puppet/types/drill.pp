# @summary When the drills of a job are made, and how much each restores; every key can be left out.
#
# - `ensure`: `absent` takes the timer or the line of cron away.
# - `provider`: `systemd` (a timer) or `cron`.
# - `calendar`, `delay`: OnCalendar and RandomizedDelaySec of the timer; `weekly` and 6 hours if not given.
# - `minute`, `hour`, `weekday`: of cron's line; Monday, some time before six if not given.
# - `paths`: files that must be in the backup, each time; below the source: `etc/passwd`.
# - `volumes`: how many volumes are chosen (4 if not given). `budget`: as many as have this size instead.
# - `tempdir`: the directory to restore to.
# - `timeout`: the longest time that a drill may take (1h if not given).
type Check_duplicity::Drill = Struct[{
    Optional['ensure']   => Enum['present', 'absent'],
    Optional['provider'] => Enum['systemd', 'cron'],
    Optional['calendar'] => Check_duplicity::Calendar,
    Optional['delay']    => Variant[Check_duplicity::Duration, Integer[0, 0]],
    Optional['minute']   => Variant[Integer[0, 59], Check_duplicity::Cronfield],
    Optional['hour']     => Variant[Integer[0, 23], Check_duplicity::Cronfield],
    Optional['weekday']  => Variant[Integer[0, 7], Check_duplicity::Cronfield],
    Optional['paths']    => Variant[Check_duplicity::Line, Array[Check_duplicity::Line, 1]],
    Optional['volumes']  => Integer[1, 999999],
    Optional['budget']   => Variant[Integer[1, 999999999999], Pattern[/\A(?=.*[1-9])\d{1,12}(?:\.\d{1,6})?[KMGT]?\z/]],
    Optional['tempdir']  => Check_duplicity::Path,
    Optional['timeout']  => Check_duplicity::Duration,
}]
