"""Credit codes: both check characters, also where a sum divides evenly (GB 32100-2015)."""

import pytest

from ganpo_model.credit_code import wrong


@pytest.mark.parametrize(
    "code",
    [
        "914403001922038216",
        "9144030071526726XG",
        "91360000625912173B",
        "91350100M000100Y43",
        "913601000005543370",
        "12440600MB2C07549J",
    ],
)
def test_codes_that_are_right(code: str) -> None:
    assert wrong(code) is None


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("91350100M000100Y4A", "its check character is A and would have to be 3"),
        ("91520000714309985E", "would have to be B"),
        ("91360000625912173Ｂ", "full-width characters"),
        ("９１360000625912173B", "full-width characters"),
        ("91360000625912173b", "character 18, 'b': lower case"),
        ("9136000062591217OB", "character 17, 'O': none of 0-9 and A-Z without I, O, S, V, Z"),
        ("91360000625912", "14 characters: a unified social credit code has 18"),
        ("9.13601E+17", "Excel made a number of it: format the column as text and enter it again"),
        ("362322198709086409", "the check character of its organisation code"),
        ("111111111111111111", "its check character is 1"),
        ("913601000005543000", "its check character is 0 and would have to be 7"),
        ("", "0 characters"),
        ("91AA0000625912173B", "characters 3 to 8 are the number of an area"),
        ("9136000062591217 B", "character 17, ' '"),
    ],
)
def test_what_is_wrong_is_told(code: str, told: str) -> None:
    assert told in str(wrong(code))


def test_a_slip_of_one_digit_is_always_found() -> None:
    code = "91360000625912173B"
    for place in range(18):
        for sign in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if sign != code[place]:
                assert wrong(code[:place] + sign + code[place + 1 :]) is not None
