"""Pages that teach end in a task, whose solution is folded, and run as all that they print."""

import pytest
from printed_blocks import PAGES, blocks_of

WITH_EXERCISES = [
    *("docs/nets.md", "docs/training.md"),
    *(
        f"docs/agents/{name}.md"
        for name in ("planning", "tabular", "dqn", "reinforce", "a2c", "ppo", "imitation")
    ),
    *(
        f"docs/generative/{name}.md"
        for name in ("autoencoders", "gans", "latents", "metrics", "worlds")
    ),
]


@pytest.mark.parametrize("page", WITH_EXERCISES)
def test_a_page_ends_in_a_task_with_a_folded_solution_that_asserts_something(page):
    text = PAGES[page].read_text(encoding="utf-8")
    last = text.rpartition("\n## ")[2]
    assert last.startswith("Exercise\n")
    task, _, solution = last.partition('<details markdown="1">\n<summary>Solution</summary>\n')
    assert "```" not in task
    assert solution.rstrip().endswith("</details>")
    (block,) = [each for each in blocks_of(page, "python") if each.section == "## Exercise"]
    assert "assert " in block.code
    assert not block.marks
