"""Path loss, the tables of modulations and codings, and budgets from end to end."""

from __future__ import annotations

from math import log10, nan

from comparisons.comparison import Comparison, worst_of
from physics_reference import load_json

from node.physics.linkbudget import (
    ChannelBudget,
    carrier_to_noise_density_dbhz,
    free_space_path_loss_db,
    modcod,
    rate_bps,
)
from node.physics.modcods import CCSDS, DVB_S2

SOURCE = "link.json"
CCSDS_SOURCE = "ccsds_modes.json"
LINK = load_json(SOURCE)
ZENITH_DEG = 90.0


def path_losses() -> list[Comparison]:
    """From 300 to 4000 km, from UHF to a laser."""
    errors_db = [
        free_space_path_loss_db(range_km, frequency_ghz) - expected_db
        for range_km, frequency_ghz, expected_db in LINK["fspl"]["rows"]
    ]
    what = f"free-space path loss, worst of {len(errors_db)} cases"
    return [worst_of(what, "dB", errors_db, 1e-4, SOURCE)]


def dvbs2_table() -> list[Comparison]:
    """Name, efficiency and threshold of every row of the standard."""
    unlike = sum(
        list(ours) != theirs for ours, theirs in zip(DVB_S2, LINK["dvbs2"], strict=False)
    ) + abs(len(DVB_S2) - len(LINK["dvbs2"]))
    what = f"rows of DVB-S2's table that differ, of {len(LINK['dvbs2'])}"
    return [Comparison(what, "", unlike, 0.0, 0.0, "absolute", SOURCE)]


def ccsds_table() -> list[Comparison]:
    """Bits per symbol of every mode, and the Eb/N0 that our threshold stands for."""
    expected = {row["mode"]: row for row in load_json(CCSDS_SOURCE)}
    unlike = len(expected.keys() ^ {mode.name for mode in CCSDS})
    bits, ebn0_db = [], []
    for mode in CCSDS:
        row = expected.get(mode.name, {})
        bits.append(mode.efficiency_bit_per_symbol - row.get("bits_per_symbol", nan))
        ours_db = mode.threshold_db - 10.0 * log10(mode.efficiency_bit_per_symbol)
        ebn0_db.append(ours_db - row.get("ebn0_for_BER_1e-5", nan))
    modes = f"{len(expected)} CCSDS modes"
    return [
        Comparison(
            f"names that differ, of {modes}", "", unlike, 0.0, 0.0, "absolute", CCSDS_SOURCE
        ),
        worst_of(f"bits per symbol, worst of {modes}", "bit", bits, 1e-9, CCSDS_SOURCE),
        worst_of(
            f"Eb/N0 at a bit error rate of 1e-5, worst of {modes}",
            "dB",
            ebn0_db,
            1e-9,
            CCSDS_SOURCE,
        ),
    ]


def budgets() -> list[Comparison]:
    """From power and geometry to bits per second."""
    rows = []
    for case in LINK["cases"]:
        channel = ChannelBudget(
            frequency_ghz=case["freq_ghz"],
            eirp_dbw=case["eirp_dbw"],
            receiver_g_over_t_db_per_k=case["g_over_t_dbk"],
            losses_db=case["other_losses_db"],
            zenith_atmosphere_db=0.0,
            bandwidth_hz=case["bandwidth_hz"],
            rolloff_ratio=case["rolloff"],
            margin_db=case["margin_db"],
            max_rate_bps=1e12,
        )
        name, range_km = case["name"], case["range_km"]
        density_dbhz = carrier_to_noise_density_dbhz(channel, range_km, ZENITH_DEG)
        chosen = modcod(channel, range_km, ZENITH_DEG)
        agreeing = chosen is not None and chosen.name == case["modcod"]
        rate = rate_bps(channel, range_km, ZENITH_DEG) if agreeing else float("nan")
        rows += [
            Comparison(
                f"C/N0, {name}", "dBHz", density_dbhz, case["cn0_dbhz"], 1e-3, "absolute", SOURCE
            ),
            Comparison(
                f"symbol rate, {name}",
                "Bd",
                channel.symbol_rate_bd,
                case["symbol_rate"],
                1e-6,
                "relative",
                SOURCE,
            ),
            Comparison(
                f"rate with {case['modcod']}, {name}",
                "bit/s",
                rate,
                case["rate_bps"],
                1e-6,
                "relative",
                SOURCE,
            ),
        ]
    return rows
