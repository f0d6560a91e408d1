"""Flashcards in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from vaekit.lesson import Card


def print_all(console: Console, cards: Sequence[Card]) -> None:
    """Every card with its back, to read or to print."""
    for number, card in enumerate(cards, 1):
        _front(console, card, number, len(cards))
        _back(console, card)
    console.print()


def turn(console: Console, cards: Sequence[Card]) -> None:
    """One card after the other: Enter turns, Enter goes on, q or the end of the input stops."""
    console.print("\nEnter turns a card, Enter again brings the next, q ends.")
    seen = 0
    try:
        for number, card in enumerate(cards, 1):
            _front(console, card, number, len(cards))
            if _ends(console.input()):
                break
            _back(console, card)
            seen = number
            if number < len(cards) and _ends(console.input()):
                break
    except (EOFError, KeyboardInterrupt):
        console.print()
    console.print(f"\n{seen} of {len(cards)} cards turned.\n")


def _ends(answer: str) -> bool:
    return answer.strip().lower() == "q"


def _front(console: Console, card: Card, number: int, of: int) -> None:
    console.print()
    console.rule(Text(f"card {number} of {of}", "dim"), align="left")
    console.print(Text(card.front, "bold"))


def _back(console: Console, card: Card) -> None:
    console.print(Padding(Text(card.back), (0, 0, 0, 2)))
