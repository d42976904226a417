"""Pages that teach end in a task, whose solution is folded, and run as all that they print."""

import re

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


def test_the_curriculum_names_every_page_with_a_task_and_no_other():
    told = re.findall(r"\(([\w/-]+\.md)#exercise\)", PAGES["docs/curriculum.md"].read_text("utf-8"))
    assert [f"docs/{page}" for page in told] == WITH_EXERCISES
    with_tasks = [p for p, file in PAGES.items() if "\n## Exercise\n" in file.read_text("utf-8")]
    assert sorted(with_tasks) == sorted(WITH_EXERCISES)


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
