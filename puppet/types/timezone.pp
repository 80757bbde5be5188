# @summary The name of a time zone: Europe/London, UTC.
type Check_duplicity::Timezone = Pattern[/\A[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*\z/]
