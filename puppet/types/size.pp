# @summary A size in bytes, with K, M, G or T of 1024, or a Nagios range of these: 500M, 10G:.
type Check_duplicity::Size = Variant[
  Integer[0, 999999999999],
  Pattern[/\A@?(?:~:|(?:(?:~|(?<size>\d{1,12}(?:\.\d{1,6})?[KMGT]?))?:)?\g<size>|\g<size>:)\z/]
]
