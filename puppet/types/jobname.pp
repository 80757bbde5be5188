# @summary The name of a job: letters, digits, - _ @ +. A dot is none: sudo ignores files with one.
type Check_duplicity::Jobname = Pattern[/\A[A-Za-z0-9_@+][A-Za-z0-9_@+-]{0,99}\z/]
