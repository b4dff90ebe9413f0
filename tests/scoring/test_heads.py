"""The heads see a text that is read in windows as they would see it whole."""

import pytest


@pytest.mark.parametrize("lengths", [(5,), (5, 5, 2), (1, 7)])
def test_joined_windows_give_the_logits_of_all_tokens_side_by_side(lengths: tuple[int, ...]) -> None:
    import torch

    from pipeline.scoring.heads import HIDDEN_WIDTHS, apply_heads, join_windows, judge, window_means

    torch.manual_seed(3)
    sizes = {"d": 16, "t": 4, "c": 3}
    weights = {name: torch.randn([sizes[axis] for axis in axes.split()]) for name, axes in HIDDEN_WIDTHS.items()}
    parts = [torch.randn(1, length, 16) for length in lengths]
    whole = torch.cat(parts, dim=1)
    expected = apply_heads(whole, torch.ones(whole.shape[:2]), weights)
    means = [window_means(part, torch.ones(part.shape[:2]), weights["topic.query"]) for part in parts]
    for name, logits in judge(*join_windows(means), weights).items():
        torch.testing.assert_close(logits, expected[name])


def test_padding_changes_nothing() -> None:
    import torch

    from pipeline.scoring.heads import HIDDEN_WIDTHS, apply_heads

    torch.manual_seed(4)
    sizes = {"d": 16, "t": 4, "c": 3}
    weights = {name: torch.randn([sizes[axis] for axis in axes.split()]) for name, axes in HIDDEN_WIDTHS.items()}
    hidden = torch.randn(2, 9, 16)
    mask = torch.ones(2, 9)
    mask[0, 6:] = 0
    padded, alone = apply_heads(hidden, mask, weights), apply_heads(hidden[:1, :6], mask[:1, :6], weights)
    for name, logits in alone.items():
        torch.testing.assert_close(padded[name][:1], logits)
