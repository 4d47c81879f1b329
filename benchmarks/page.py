"""Tables in the documents that a command writes anew."""

MARKS = ("<!-- table -->\n", "<!-- end of table -->\n")


def write_table(page, table):
    """Put `table` between the two marks of the page."""
    before, rest = page.read_text(encoding="utf-8").split(MARKS[0])
    _, after = rest.split(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}{table}{MARKS[1]}{after}", encoding="utf-8")
