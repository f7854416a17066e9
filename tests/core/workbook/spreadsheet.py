"""A workbook as a spreadsheet engine that is not ours calculates it: IronCalc."""

import ironcalc
from openpyxl.utils.cell import coordinate_to_tuple


class Calculated:
    """Every formula of the .xlsx file at `path`, calculated anew."""

    def __init__(self, path):
        self.model = ironcalc.load_from_xlsx(str(path))
        self.model.evaluate()
        self.sheets = [sheet["name"] for sheet in self.model.get_worksheets_properties()]

    def value(self, sheet, cell):
        """A number, or text; errors are text too."""
        return self.model.get_cell_value(self.sheets.index(sheet), *coordinate_to_tuple(cell))
