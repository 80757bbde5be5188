# @summary How many per cent are too many, or that none are: 50, none.
type Check_duplicity::Percent = Variant[Integer[1, 100], Enum['none'], Pattern[/\A(?:[1-9]\d?|100)\z/]]
