from pretended_run import check_on_a_pretended_gpu, pretended


@pretended
def test_all_of_scripts_that_needs_a_gpu_runs_on_a_pretended_one(tmp_path):
    check_on_a_pretended_gpu("scripts", tmp_path)
