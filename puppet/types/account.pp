# @summary The name of a user or a group: in lower case, so that it is no alias and no ALL in sudoers.
type Check_duplicity::Account = Pattern[/\A[a-z_][a-z0-9_.-]{0,31}\z/]
