"""The shapes in which Korean schools and academies keep their lists, each with its truth.

A shape is written down twice, and neither is read by our code: as the students that it is about (the truth), and as the
sheet that an office makes of them. `make.py` has each written by one program.
"""

import datetime
import random
import unicodedata
from dataclasses import dataclass, field

FAMILY = "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용"
GIVEN = ["서연", "민준", "지우", "서준", "하은", "도윤", "하윤", "시우", "지호", "수아", "예준", "지유", "주원", "채원", "지안", "건우", "다은", "현우", "예은", "준서", "가온", "나래", "슬기", "한결", "새봄", "겨레", "솔", "빛나라", "은", "두리"]


@dataclass
class Student:
    name: str
    guardian: str
    student: str | None = None
    school: str | None = None
    grade: str | None = None
    class_name: str | None = None
    gender: str | None = None
    birth: str | None = None
    memo: str | None = None

    def truth(self):
        keys = {"name": "name", "guardian": "guardianPhone", "student": "studentPhone", "school": "school",
                "grade": "grade", "class_name": "className", "gender": "gender", "birth": "birthDate", "memo": "memo"}
        return {theirs: getattr(self, ours) for ours, theirs in keys.items() if getattr(self, ours) is not None}


@dataclass
class Formula:
    text: str
    result: object


@dataclass
class Cell:
    value: object
    format: str | None = None


@dataclass
class Sheet:
    name: str
    rows: list
    merges: list = field(default_factory=list)
    hidden: bool = False
    hidden_rows: list = field(default_factory=list)
    hidden_columns: list = field(default_factory=list)
    filter: str | None = None


@dataclass
class Shape:
    name: str
    program: str
    sheets: list
    """What becomes of the file: "list" with students and refused cells, "refused" with a code, or "asked"."""
    outcome: str
    students: list = field(default_factory=list)
    refused: list = field(default_factory=list)
    code: str | None = None
    date1904: bool = False
    csv: dict | None = None
    text: str | None = None


def people(count, seed, **fields):
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        def phone():
            return f"010-{rng.randint(2000, 9999)}-{rng.randint(1000, 9998)}"
        person = Student(rng.choice(FAMILY) + rng.choice(GIVEN), phone())
        if person.name in {p.name for p in made}:
            person.name += "가나다라마바사아자차"[len(made) % 10]
        if fields.get("student"):
            person.student = phone()
        if fields.get("school"):
            person.school = rng.choice(["가람중", "한빛초", "누리고", "새솔중학교", "다온초등학교"])
        if fields.get("grade"):
            person.grade = str(rng.randint(1, 6))
        if fields.get("class_name"):
            person.class_name = rng.choice(["심화", "기본", "A반", "월수금", "화목"])
        if fields.get("gender"):
            person.gender = rng.choice(["male", "female"])
        if fields.get("birth"):
            person.birth = f"{rng.randint(2006, 2016)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        if fields.get("memo"):
            person.memo = rng.choice(["알레르기 있음", "형제 할인", "셔틀 이용", "9월 등록"])
        made.append(person)
    return made


def digits(phone):
    return phone.replace("-", "")


def full_width(text):
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def day(iso):
    return datetime.date.fromisoformat(iso)


def simple(students, header=("이름", "학부모 연락처"), render=lambda s: (s.name, s.guardian)):
    return [list(header), *[list(render(s)) for s in students]]


SHAPES = []


def shape(*args, **kwargs):
    SHAPES.append(Shape(*args, **kwargs))


OPENPYXL, XLSXWRITER, EXCELJS, LIBREOFFICE, CSV, TEXT = "openpyxl", "xlsxwriter", "exceljs", "libreoffice", "csv", "text"

# --- lists as they ought to be
s = people(12, 1)
shape("01-plain", OPENPYXL, [Sheet("명단", simple(s))], "list", s)
s = people(15, 2, student=True, school=True, grade=True, gender=True)
shape("02-academy-form", EXCELJS, [Sheet("원생명단", [["번호", "학생명", "성별", "학교", "학년", "학생 휴대폰", "학부모 휴대폰"],
      *[[i + 1, p.name, "남" if p.gender == "male" else "여", p.school, int(p.grade), p.student, p.guardian] for i, p in enumerate(s)]])], "list", s)
s = people(10, 3, birth=True)
shape("03-neis-dates-as-text", XLSXWRITER, [Sheet("학적", [["성명", "생년월일", "보호자 연락처"], *[[p.name, p.birth.replace("-", "."), p.guardian] for p in s]])], "list", s)
s = people(10, 4, birth=True)
shape("04-real-dates", OPENPYXL, [Sheet("명단", [["이름", "생년월일", "보호자 전화번호"], *[[p.name, Cell(day(p.birth), "yyyy-mm-dd"), p.guardian] for p in s]])], "list", s)
s = people(10, 5, birth=True)
shape("05-dates-since-1904", EXCELJS, [Sheet("명단", [["이름", "생년월일", "보호자 전화번호"], *[[p.name, Cell(day(p.birth), "yyyy/mm/dd"), p.guardian] for p in s]])], "list", s, date1904=True)
s = people(10, 6, birth=True)
shape("06-korean-date-format", LIBREOFFICE, [Sheet("명단", [["이름", "생년월일", "보호자 전화번호"], *[[p.name, Cell(day(p.birth), 'yyyy"년" m"월" d"일"'), p.guardian] for p in s]])], "list", s)

# --- numbers of phones
s = people(14, 7)
shape("07-lost-zeros", OPENPYXL, [Sheet("Sheet1", simple(s, render=lambda p: (p.name, int(digits(p.guardian)))))], "list", s)
s = people(14, 8)
shape("08-zeros-by-format", XLSXWRITER, [Sheet("Sheet1", simple(s, render=lambda p: (p.name, Cell(int(digits(p.guardian)), "000-0000-0000"))))], "list", s)
s = people(9, 9)
shape("09-plus-82", LIBREOFFICE, [Sheet("명단", simple(s, render=lambda p: (p.name, "+82 " + p.guardian[1:])))], "list", s)
s = people(9, 10)
shape("10-82-with-zero", EXCELJS, [Sheet("명단", simple(s, render=lambda p: (p.name, "+82-0" + p.guardian[1:])))], "list", s)
s = people(9, 11)
shape("11-dots-and-spaces", OPENPYXL, [Sheet("명단", simple(s, render=lambda p: (p.name, p.guardian.replace("-", random.Random(p.name).choice([".", " ", " - "])))))], "list", s)
s = people(9, 12)
shape("12-full-width", XLSXWRITER, [Sheet("명단", simple(s, header=("이　름", "학부모　연락처"), render=lambda p: (p.name, full_width(p.guardian))))], "list", s)
s = people(9, 13)
shape("13-apostrophe-text", OPENPYXL, [Sheet("명단", simple(s, render=lambda p: (p.name, "'" + digits(p.guardian))))], "list", s)
s = people(8, 14)
s[2].guardian, s[5].guardian = "02-345-6789", "031-777-8888"
shape("14-landlines", LIBREOFFICE, [Sheet("명단", simple(s, header=("성명", "보호자 전화")))], "list", s)
s = people(8, 15)
rows = simple(s)
rows[3][1] = "010-1234"
rows[5][1] = ""
rows[7][0] = ""
shape("15-three-bad-cells", OPENPYXL, [Sheet("명단", rows)], "list", [p for i, p in enumerate(s) if i not in (2, 4, 6)], ["B4", "B6", "A8"])
s = people(8, 16)
rows = simple(s)
rows[2][1] = s[1].guardian + " / " + s[0].guardian
shape("16-two-numbers-in-a-cell", XLSXWRITER, [Sheet("명단", rows)], "list", [p for i, p in enumerate(s) if i != 1], ["B3"])

# --- headers
s = people(10, 17, student=True, grade=True)
shape("17-two-row-merged-header", OPENPYXL, [Sheet("명단", [["연번", "성명", "학년", "연락처", None], [None, None, None, "학생", "학부모"],
      *[[i + 1, p.name, p.grade, p.student, p.guardian] for i, p in enumerate(s)]], merges=["A1:A2", "B1:B2", "C1:C2", "D1:E1"])], "list", s)
s = people(10, 18, student=True)
shape("18-title-rows", EXCELJS, [Sheet("3월", [["2026학년도 3월 원생 명부"], ["(작성일: 2026. 3. 2.)"], [], ["담당: 교무실", None, "직인"], [], ["이름", "본인 핸드폰", "어머니 핸드폰"],
      *[[p.name, p.student, p.guardian] for p in s]], merges=["A1:C1"])], "list", s)
s = people(10, 19)
shape("19-header-in-row-40", LIBREOFFICE, [Sheet("명단", [*[[f"안내 {i}"] for i in range(1, 40)], ["이름", "보호자연락처"], *[[p.name, p.guardian] for p in s]])], "list", s)
s = people(10, 20, student=True)
shape("20-english", XLSXWRITER, [Sheet("Students", [["No.", "Student Name", "Student Mobile", "Parent Mobile"], *[[i + 1, p.name, p.student, p.guardian] for i, p in enumerate(s)]])], "list", s)
s = people(10, 21, student=True)
shape("21-guardian-before-student", OPENPYXL, [Sheet("명단", [["학부모 성함", "학부모 HP", "학생 이름", "학생 HP"], *[["학부모" + str(i), p.guardian, p.name, p.student] for i, p in enumerate(s)]])], "list", s)
s = people(10, 22)
shape("22-required-marks", EXCELJS, [Sheet("양식", [["이름*(필수)", "학부모연락처*(필수)", "비고(선택)"], *[[p.name, p.guardian, None] for p in s]])], "list", s)
s = people(10, 23)
shape("23-line-breaks-in-header", XLSXWRITER, [Sheet("명단", [["학생\n이름", "학부모\n연락처"], *[[p.name, p.guardian] for p in s]])], "list", s)
s = people(8, 24, student=True)
shape("24-mother-and-father", OPENPYXL, [Sheet("명단", [["이름", "학생 연락처", "부 연락처", "모 연락처"], *[[p.name, p.student, p.guardian, "010-2222-3333"] for p in s]])], "list", s)
s = people(10, 25)
shape("25-english-over-korean", LIBREOFFICE, [Sheet("명단", [["Name (이름)", "Guardian phone (보호자 연락처)"], *[[p.name, p.guardian] for p in s]])], "list", s)

# --- what nobody may guess
s = people(10, 26)
shape("26-lone-phone", OPENPYXL, [Sheet("명단", simple(s, header=("이름", "연락처")))], "asked")
s = people(10, 27, student=True)
shape("27-student-phone-and-bare-phone", EXCELJS, [Sheet("명단", [["이름", "학생 연락처", "연락처"], *[[p.name, p.student, p.guardian] for p in s]])], "asked")
s = people(10, 28, student=True)
shape("28-two-bare-phones", LIBREOFFICE, [Sheet("명단", [["이름", "휴대폰", "전화번호"], *[[p.name, p.student, p.guardian] for p in s]])], "asked")
s = people(10, 29)
shape("29-student-slash-guardian", XLSXWRITER, [Sheet("명단", simple(s, header=("이름", "학생/학부모 연락처")))], "asked")

# --- rows that are nobody's
s = people(9, 30)
shape("30-example-rows", OPENPYXL, [Sheet("양식", [["구분", "이름", "학부모 연락처"], ["예시", "홍길동", "010-0000-0000"], ["예시", "김철수", "010-1234-5678"], *[[i + 1, p.name, p.guardian] for i, p in enumerate(s)]])], "list", s)
s = people(9, 31)
shape("31-sums-and-notes", XLSXWRITER, [Sheet("명단", [["이름", "학부모 연락처"], *[[p.name, p.guardian] for p in s], ["합계", None], ["※ 전출생 제외"]])], "list", s)
s = people(12, 32)
shape("32-header-repeated", EXCELJS, [Sheet("명단", [["이름", "학부모 연락처"], *[[p.name, p.guardian] for p in s[:6]], ["이름", "학부모 연락처"], *[[p.name, p.guardian] for p in s[6:]]])], "list", s)
s = people(9, 33)
shape("33-blank-rows-between", LIBREOFFICE, [Sheet("명단", [["이름", "학부모 연락처"], *[r for p in s for r in ([p.name, p.guardian], [])]])], "list", s)
s = people(6, 34)
shape("34-numbering-goes-on", OPENPYXL, [Sheet("명단", [["번호", "이름", "학부모 연락처"], *[[i + 1, p.name, p.guardian] for i, p in enumerate(s)], *[[i, None, None] for i in range(7, 31)]])], "list", s)
s = people(9, 35)
s[4].name = "홍길동"
shape("35-a-real-hong-gildong", XLSXWRITER, [Sheet("명단", simple(s))], "list", s)

# --- sheets, rows and columns
s, other = people(9, 36), people(4, 136)
shape("36-hidden-sheet", OPENPYXL, [Sheet("작년", simple(other), hidden=True), Sheet("올해", simple(s))], "list", s)
s = people(9, 37)
shape("37-cover-sheet", LIBREOFFICE, [Sheet("표지", [["가람학원"], ["2026년"]]), Sheet("명단", simple(s))], "list", s)
s = people(9, 38)
shape("38-hidden-rows", EXCELJS, [Sheet("명단", simple(s), hidden_rows=[4, 5])], "list", s)
s = people(9, 39, student=True)
shape("39-hidden-column", XLSXWRITER, [Sheet("명단", [["이름", "학생 연락처", "학부모 연락처"], *[[p.name, p.student, p.guardian] for p in s]], hidden_columns=[1])], "list", s)
s = people(9, 40)
shape("40-filtered", OPENPYXL, [Sheet("명단", simple(s), filter="A1:B10", hidden_rows=[3, 6])], "list", s)
s = people(9, 41)
shape("41-starts-at-d5", EXCELJS, [Sheet("명단", [[], [], [], [], *[[None, None, None, *r] for r in simple(s)]])], "list", s)
s = people(8, 42)
for a, b in ((0, 1), (4, 5)):
    s[b].guardian = s[a].guardian
shape("42-siblings-share-a-merged-cell", LIBREOFFICE, [Sheet("명단", [["이름", "학부모 연락처"], *[[p.name, None if i in (1, 5) else p.guardian] for i, p in enumerate(s)]], merges=["B2:B3", "B6:B7"])],
      "list", s)

# --- cells
s = people(9, 43)
shape("43-formulas-with-results", XLSXWRITER, [Sheet("명단", [["이름", "앞", "뒤", "학부모 연락처"], *[[p.name, p.guardian[4:8], p.guardian[9:], Formula(f'="010-"&B{i + 2}&"-"&C{i + 2}', p.guardian)] for i, p in enumerate(s)]])], "list", s)
s = people(9, 44)
shape("44-formulas-by-calc", LIBREOFFICE, [Sheet("명단", [["이름", "앞", "뒤", "학부모 연락처"], *[[p.name, "'" and p.guardian[4:8], p.guardian[9:], Formula(f'="010-"&B{i + 2}&"-"&C{i + 2}', p.guardian)] for i, p in enumerate(s)]])], "list", s)
s = people(9, 45)
rows = simple(s)
rows[4][0] = Formula("=1+1", 2)
shape("45-formula-for-a-name", EXCELJS, [Sheet("명단", rows)], "list", [p for i, p in enumerate(s) if i != 3], ["A5"])
s = people(9, 46)
shape("46-decomposed-on-a-mac", OPENPYXL, [Sheet(unicodedata.normalize("NFD", "명단"), [[unicodedata.normalize("NFD", t) for t in r] for r in simple(s)])], "list", s)
s = people(9, 47)
shape("47-spaces-everywhere", XLSXWRITER, [Sheet("명단", simple(s, header=(" 이 름 ", "학부모  연락처 "), render=lambda p: (f"  {p.name}\u00a0", f" {p.guardian} ")))], "list", s)
s = people(9, 48, memo=True)
s[3].memo = "=1+1 이 아니라 글자"
shape("48-memo", OPENPYXL, [Sheet("명단", [["이름", "학부모 연락처", "특이사항"], *[[p.name, p.guardian, "'" + p.memo if p.memo.startswith("=") else p.memo] for p in s]])], "list", s)
s = people(9, 49, grade=True)
shape("49-grades-as-numbers", LIBREOFFICE, [Sheet("명단", [["이름", "학년", "학부모 연락처"], *[[p.name, int(p.grade), p.guardian] for p in s]])], "list", s)
s = people(300, 50)
shape("50-three-hundred", EXCELJS, [Sheet("명단", simple(s))], "list", s)
s = people(9, 51)
s[2].name = "제갈공명"
s[4].name = "Kim Min-jun"
s[6].name = "뷁쀍썅"
shape("51-rare-names", XLSXWRITER, [Sheet("명단", simple(s))], "list", s)

# --- delimited text
s = people(12, 52)
shape("52-utf8", CSV, [Sheet("명단", simple(s))], "list", s, csv=dict(encoding="utf-8"))
s = people(12, 53)
shape("53-utf8-bom", CSV, [Sheet("명단", simple(s))], "list", s, csv=dict(encoding="utf-8-sig"))
s = people(12, 54)
s[3].name, s[5].name = "뷁도윤", "똠서연"
shape("54-cp949", CSV, [Sheet("명단", simple(s))], "list", s, csv=dict(encoding="cp949"))
s = people(12, 55)
shape("55-utf16-tabs", CSV, [Sheet("명단", simple(s))], "list", s, csv=dict(encoding="utf-16", delimiter="\t"))
s = people(12, 56)
shape("56-semicolons", CSV, [Sheet("명단", simple(s))], "list", s, csv=dict(encoding="utf-8-sig", delimiter=";"))
s = people(12, 57, memo=True)
s[4].memo = "쉼표, 따옴표 \" 그리고 줄 바꿈"
shape("57-quotes-and-line-breaks", CSV, [Sheet("명단", [["이름", "메모", "학부모 연락처"], *[[p.name, p.memo if i != 4 else p.memo.replace(" 그리고", "\n그리고"), p.guardian] for i, p in enumerate(s)]])], "list", s, csv=dict(encoding="cp949"))
s = people(12, 58)
shape("58-lost-zeros-in-csv", CSV, [Sheet("명단", simple(s, render=lambda p: (p.name, digits(p.guardian)[1:])))], "list", s, csv=dict(encoding="cp949"))
s = people(12, 59)
shape("59-saved-by-calc", LIBREOFFICE, [Sheet("명단", simple(s))], "list", s, csv=dict(calc="csv:Text - txt - csv (StarCalc):44,34,76,1"))

# --- other formats
s = people(6, 60)
shape("60-old-excel", LIBREOFFICE, [Sheet("명단", simple(s))], "refused", code="legacy_xls", csv=dict(calc="xls"))
shape("61-open-document", LIBREOFFICE, [Sheet("명단", simple(s))], "refused", code="open_document", csv=dict(calc="ods"))
shape("62-html-as-xls", TEXT, [], "refused", code="html_as_xls",
      text="<html><head><meta charset=utf-8></head><body><table><tr><td>이름</td><td>학부모 연락처</td></tr></table></body></html>")
shape("63-calc-web-page", LIBREOFFICE, [Sheet("명단", simple(s))], "refused", code="html_as_xls", csv=dict(calc="html"))
shape("64-no-guardian", OPENPYXL, [Sheet("명단", [["이름", "학교"], *[[p.name, "가람중"] for p in s]])], "refused", code="header_not_found")
