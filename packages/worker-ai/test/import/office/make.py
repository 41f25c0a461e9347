"""Writes every shape of `shapes.py` by its program, and the truth beside it: `python3 make.py`.

Needs openpyxl and xlsxwriter (Debian: python3-openpyxl, python3-xlsxwriter), LibreOffice (libreoffice-calc-nogui), and Node
with exceljs, which this repository has. The files are committed: no test runs this.
"""

import csv
import datetime
import json
import pathlib
import subprocess
import tempfile

import openpyxl
import xlsxwriter

from shapes import CSV, EXCELJS, LIBREOFFICE, OPENPYXL, SHAPES, TEXT, XLSXWRITER, Cell, Formula

here = pathlib.Path(__file__).parent
files = here / "files"


def parts(cell):
    return (cell.value, cell.format) if isinstance(cell, Cell) else (cell, None)


def by_openpyxl(shape, path):
    book = openpyxl.Workbook()
    book.remove(book.active)
    if shape.date1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for sheet in shape.sheets:
        page = book.create_sheet(sheet.name)
        for r, row in enumerate(sheet.rows, 1):
            for c, cell in enumerate(row, 1):
                value, number_format = parts(cell)
                if value is None:
                    continue
                target = page.cell(r, c)
                target.value = value.text if isinstance(value, Formula) else value
                if number_format:
                    target.number_format = number_format
        for merge in sheet.merges:
            page.merge_cells(merge)
        for row in sheet.hidden_rows:
            page.row_dimensions[row].hidden = True
        for column in sheet.hidden_columns:
            page.column_dimensions[openpyxl.utils.get_column_letter(column + 1)].hidden = True
        page.auto_filter.ref = sheet.filter
        if sheet.hidden:
            page.sheet_state = "hidden"
    book.active = next(i for i, sheet in enumerate(shape.sheets) if not sheet.hidden)
    book.save(path)


def by_xlsxwriter(shape, path):
    book = xlsxwriter.Workbook(path, {"date_1904": shape.date1904, "strings_to_formulas": False})
    book.set_properties({"created": datetime.datetime(2026, 3, 2)})
    for sheet in shape.sheets:
        page = book.add_worksheet(sheet.name)
        for r, row in enumerate(sheet.rows):
            for c, cell in enumerate(row):
                value, number_format = parts(cell)
                style = book.add_format({"num_format": number_format}) if number_format else None
                if value is None:
                    continue
                if isinstance(value, Formula):
                    page.write_formula(r, c, value.text, style, value.result)
                elif isinstance(value, datetime.date):
                    page.write_datetime(r, c, datetime.datetime.combine(value, datetime.time()), style)
                else:
                    page.write(r, c, value, style)
        for row in sheet.hidden_rows:
            page.set_row(row - 1, None, None, {"hidden": True})
        for column in sheet.hidden_columns:
            page.set_column(column, column, None, None, {"hidden": True})
        if sheet.hidden:
            page.hide()
    book.close()


def plain(cell):
    value, number_format = parts(cell)
    if isinstance(value, Formula):
        return {"formula": value.text[1:], "result": value.result}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat(), "format": number_format}
    return {"value": value, "format": number_format}


def by_exceljs(shape, path):
    model = {
        "path": str(path),
        "date1904": shape.date1904,
        "sheets": [{"name": s.name, "rows": [[plain(c) for c in row] for row in s.rows], "merges": s.merges, "hidden": s.hidden, "hiddenRows": s.hidden_rows}
                   for s in shape.sheets],
    }
    subprocess.run(["node", str(here / "make-exceljs.mjs")], input=json.dumps(model), text=True, check=True)


def by_libreoffice(shape, target):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "in" / f"{shape.name}.xlsx"
        source.parent.mkdir()
        by_openpyxl(shape, source)
        asked = (shape.csv or {}).get("calc", "xlsx:Calc MS Excel 2007 XML")
        extension = asked.split(":")[0]
        subprocess.run(["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", asked, "--outdir", folder, str(source)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        made = pathlib.Path(folder) / f"{shape.name}.{extension}"
        target.with_suffix(f".{extension}").write_bytes(made.read_bytes())
        return f"{shape.name}.{extension}"


def by_csv(shape, path):
    with open(path, "w", encoding=shape.csv["encoding"], newline="") as file:
        csv.writer(file, delimiter=shape.csv.get("delimiter", ",")).writerows(shape.sheets[0].rows)


def write(shape):
    target = files / f"{shape.name}.xlsx"
    if shape.program == LIBREOFFICE:
        return by_libreoffice(shape, target)
    if shape.program == TEXT:
        target = target.with_suffix(".xls")
        target.write_text(shape.text, encoding="utf-8")
    elif shape.program == CSV:
        target = target.with_suffix(".csv")
        by_csv(shape, target)
    else:
        {OPENPYXL: by_openpyxl, XLSXWRITER: by_xlsxwriter, EXCELJS: by_exceljs}[shape.program](shape, target)
    return target.name


files.mkdir(exist_ok=True)
for old in files.iterdir():
    old.unlink()
truth = []
for shape in SHAPES:
    entry = {"file": write(shape), "program": shape.program, "outcome": shape.outcome}
    if shape.outcome == "list":
        entry |= {"students": [student.truth() for student in shape.students], "refused": shape.refused}
    if shape.code:
        entry["code"] = shape.code
    truth.append(entry)
(here / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
print(f"{len(truth)} files")
