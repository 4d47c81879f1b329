"""Generated tables in the documents."""

MARKS = ("<!-- table -->\n", "<!-- end of table -->\n")


def write_table(page, table):
    """Replace the text between the two marks of the page by `table`."""
    before, rest = page.read_text(encoding="utf-8").split(MARKS[0])
    _, after = rest.split(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}{table}{MARKS[1]}{after}", encoding="utf-8")
