"""Trapped protons above 30 MeV by place: the South Atlantic Anomaly as a table.

Integral flux from all directions of AP8MIN (Sawyer and Vette, NSSDC/WDC-A-R&S 76-06, 1976), the
model of solar minimum, in the field of 1964 that belongs to it, computed by IRBEM (aep8 1.1.0)
every 5 degrees at four altitudes and moved 18.2 degrees west, to where the anomaly stands in
2025.4. (With today's weaker field AP8 would give about twice the flux at 550 km.)

Between the nodes: linear in latitude and longitude; in altitude log(1 + flux) linear in
log(altitude), a power law where there is much and without a jump to where there is none. The
anomaly drifts 0.3 degrees a year west (Fuerst et al., Earth Planet. Sci. Lett. 281, 2009). Outside
the table the flux falls to zero within one cell.

Limits: AP8 itself is good to a factor of 2. The law between the lowest two layers is followed on
down below 400 km, where the atmosphere takes more; above 800 km the flux of 800 km is held, which
is too little. Means over orbits of 420 to 665 km are within 4 % of AP8 evaluated along them; the
sharpest peaks are cut by up to 28 %.
"""

from __future__ import annotations

from math import expm1, log, log1p

TOP_KM = 800.0
"""Above this the flux of this altitude is held."""
PEAK_FLUX_PER_CM2_S = 5283.0
"""The greatest figure of the table."""

_EPOCH_UTC_S = 1_748_291_040.0
"""2025.4, where the table stands."""
_DRIFT_DEG_PER_S = 0.3 / 31_557_600.0

_STEP_DEG = 5.0
_ROWS, _COLUMNS = 18, 34
# One ring of zeros around the table, so that nothing jumps at its edge.
SOUTH_DEG, _WEST_DEG = -60.0 - _STEP_DEG, -120.0 - _STEP_DEG
NORTH_DEG = SOUTH_DEG + (_ROWS + 1) * _STEP_DEG
"""From here to the poles there is no flux."""
_WIDTH = _COLUMNS + 2
_LAYER = (_ROWS + 2) * _WIDTH

_ALTITUDES_KM = (400.0, 550.0, 650.0, TOP_KM)
# By altitude: rows from 60 S to 25 N, each in two lines, from 120 W and from 35 W to 45 E.
_FLUX_PER_CM2_S = (
    """
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 8 25 36 41 35
27 9 8 3 1 2 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 3 35 108 193 163 166 119
99 77 53 23 12 6 3 0 1 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 22 135 311 374 492 511 370 315
205 133 105 72 44 31 9 4 3 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 18 118 343 524 626 799 866 537 569
269 245 118 76 49 31 15 9 8 6 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 28 93 167 251 402 690 596 519 452
208 113 39 23 6 3 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 13 81 172 367 330 196 201 249 184
81 17 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 2 22 69 106 162 97 129 44 28
9 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 2 6 17 18 11 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
""",
    """
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 3 13 16 7 7 6
4 2 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 3 29 62 86 111 101 94 70
38 23 12 7 4 2 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 4 66 197 320 475 411 357 280 231
165 116 73 35 24 10 7 4 2 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 15 160 539 885 985 1132 1452 1019 895 524
408 252 180 137 83 47 24 16 9 4 2 0 0 0 0 0 0
0 0 0 0 0 0 12 144 453 881 1139 1400 1815 2623 1750 1489 1149
767 494 325 200 151 103 81 48 38 26 12 2 0 0 0 0 0
0 0 0 0 0 0 28 112 271 469 687 1032 1695 1831 1640 1920 1477
929 847 395 319 160 107 65 43 25 9 2 0 0 0 0 0 0
0 0 0 0 0 0 8 157 437 836 1197 1138 940 836 1009 1394 957
822 712 285 157 50 21 7 2 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 15 97 240 480 817 910 1006 1079 648 395 385
418 275 121 33 4 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 11 67 170 259 359 470 622 464 391 247
87 51 22 2 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 8 28 64 105 111 120 135 101 66
4 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 2 10 12 7 5 4
1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
""",
    """
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 11 23 34 23 15 16 8
7 4 2 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 14 55 100 129 154 158 149 116 84
45 30 15 10 5 2 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 15 118 288 455 625 691 532 503 359 278
215 138 80 43 28 13 10 5 2 0 0 0 0 0 0 0 0
0 0 0 0 0 0 24 249 771 1196 1412 1599 1884 1742 1375 1131 663
486 345 233 164 109 57 33 25 13 7 5 2 0 0 0 0 0
0 0 0 0 0 25 237 630 1056 1469 1877 2339 3137 3298 2433 2388 1532
1196 660 490 298 218 154 117 77 63 38 22 9 0 0 0 0 0
0 0 0 0 5 52 159 352 643 1003 1455 2225 2952 2700 2728 3591 2168
1700 1266 767 582 315 242 149 110 86 59 35 13 1 0 0 0 0
0 0 0 0 2 60 298 735 1336 1576 1725 1751 1668 1732 2367 2200 1795
1902 1445 797 632 346 192 135 89 41 17 4 0 0 0 0 0 0
0 0 0 0 16 68 209 513 984 1274 1575 1952 1959 1666 1260 966 1083
1320 823 593 418 181 58 17 4 0 0 0 0 0 0 0 0 0
0 0 0 0 0 11 61 205 413 723 1070 1238 1337 1306 1341 1121 638
346 278 241 163 57 9 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 11 51 144 311 475 558 600 629 724 681 464
326 260 68 23 4 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 13 39 138 194 203 196 178 154
99 57 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 14 37 29 16
6 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
""",
    """
0 0 0 0 0 0 0 0 0 0 1 2 2 2 3 1 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 8 20 34 48 55 43 34 29 20 12
10 5 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 19 62 120 174 213 246 247 227 198 147 90
53 35 18 12 5 2 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 23 120 294 522 768 1018 1071 842 741 597 484 338
258 175 90 52 30 17 11 6 2 1 0 0 0 0 0 0 0
0 0 0 0 18 166 501 1046 1619 2056 2438 2860 2839 2217 2004 1261 894
610 441 315 203 127 72 46 30 17 11 9 6 3 2 0 0 0
0 0 0 19 172 486 962 1518 2159 2805 3545 4645 5071 4222 3699 3097 2140
1606 906 645 446 305 239 162 119 81 54 37 24 13 5 0 0 0
0 0 12 91 227 429 759 1228 1883 2702 3909 4432 4458 4552 5283 4687 3414
3229 1920 1516 861 585 429 299 238 185 142 111 80 49 17 0 0 0
0 2 29 128 415 861 1332 1785 2218 2630 2961 3222 3583 4362 4298 3826 3813
4216 2627 2003 1682 1022 708 609 381 258 186 132 79 33 4 0 0 0
0 0 22 217 470 816 1231 1791 2418 2992 3174 3258 3179 2985 2785 2770 3432
2673 2172 2117 2118 1102 668 504 362 227 121 43 9 1 0 0 0 0
4 13 42 125 225 433 872 1308 1720 2141 2569 2973 3149 2947 2658 2205 1743
1343 1361 1535 1078 714 478 301 161 79 26 6 1 0 0 0 0 0
0 2 8 38 105 207 527 710 1028 1393 1711 1956 2064 2102 2189 2139 1939
1449 983 536 334 245 176 108 50 17 2 0 0 0 0 0 0 0
0 0 0 5 1 5 62 274 396 641 964 1162 1232 1333 1382 1308 1263
1034 786 560 361 217 108 27 3 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 11 43 86 137 232 634 604 690 741 573
433 343 223 136 63 21 4 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 18 51 66 100 206 200 234
164 116 52 19 4 1 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 9 15 21 12
0 10 8 1 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
""",
)


def _table() -> tuple[float, ...]:
    table: list[float] = []
    for text in _FLUX_PER_CM2_S:
        numbers = [float(number) for number in text.split()]
        table += [0.0] * _WIDTH
        for start in range(0, len(numbers), _COLUMNS):
            table += [0.0, *numbers[start : start + _COLUMNS], 0.0]
        table += [0.0] * _WIDTH
    return tuple(table)


_TABLE = _table()
_LOWEST_LOG, _LOW_LOG, _HIGH_LOG, _TOP_LOG = (log(altitude_km) for altitude_km in _ALTITUDES_KM)


def proton_flux_per_cm2_s(
    latitude_deg: float, longitude_deg: float, altitude_km: float, utc_s: float
) -> float:
    """Protons above 30 MeV from all directions, at solar minimum.

    Args:
        latitude_deg: geodetic.
        longitude_deg: east positive, any number of turns.
        altitude_km: above the ellipsoid.
        utc_s: POSIX seconds; the anomaly drifts.
    """
    y = (latitude_deg - SOUTH_DEG) / _STEP_DEG
    if not 0.0 <= y < _ROWS + 1:
        return 0.0
    drift_deg = (utc_s - _EPOCH_UTC_S) * _DRIFT_DEG_PER_S
    x = (longitude_deg + drift_deg - _WEST_DEG) % 360.0 / _STEP_DEG
    if x >= _COLUMNS + 1:
        return 0.0
    row, column = int(y), int(x)
    y -= row
    x -= column
    height = log(max(altitude_km, 1.0))
    if height < _LOW_LOG:
        layer, t = 0, (height - _LOWEST_LOG) / (_LOW_LOG - _LOWEST_LOG)
    elif height < _HIGH_LOG:
        layer, t = 1, (height - _LOW_LOG) / (_HIGH_LOG - _LOW_LOG)
    else:
        layer, t = 2, min(1.0, (height - _HIGH_LOG) / (_TOP_LOG - _HIGH_LOG))
    i = layer * _LAYER + row * _WIDTH + column
    below, above = _in_layer(i, x, y), _in_layer(i + _LAYER, x, y)
    return max(0.0, expm1((1.0 - t) * log1p(below) + t * log1p(above)))


def _in_layer(i: int, x: float, y: float) -> float:
    """Bilinear between node ``i``, the next one east and the two north of them."""
    table = _TABLE
    j = i + _WIDTH
    return (table[i] * (1.0 - x) + table[i + 1] * x) * (1.0 - y) + (
        table[j] * (1.0 - x) + table[j + 1] * x
    ) * y
