# @summary When a timer of systemd's elapses, as OnCalendar has it: weekly, Sun 03:00, Mon..Fri *-*-* 22:30:00.
type Check_duplicity::Calendar = Pattern[/\A[A-Za-z0-9*](?:[A-Za-z0-9 ,.*:\/_~+-]*[A-Za-z0-9*])?\z/]
