"""Arguments and attributes that are given elsewhere here, or nowhere."""

_BESIDE = "it is given beside the settings, as in PPO(env, config, num_envs=8, seed=0)"
_EVENTS = "a run folder has TensorBoard's events, and learn(..., track=Tracking(...)) writes them"
_LOGGED = "learn(..., track=Tracking(...)) tells a tracker, and a run folder has metrics.csv"
_RECENT = "a callback sees the last 100 returns, in Progress.recent"
_NETWORK = "networks are built of the settings hidden, activation and encoder"
_BUFFER = "there is none; rollouts and replay are the algorithm's own"
_NOISE = "SB3TD3Config(exploration_noise=0.1) explores so; PPO and A2C draw from their policy"
_WHOLE = "there is none; all that was learned is saved"
_SDE = "there is none; exploration is drawn anew at every step"
_ADAM = "there is none; Adam learns, with the learning_rate that is a setting"

ARGUMENTS = {
    "_init_setup_model": "there is none; an agent is made whole",
    "action_noise": _NOISE,
    "autotune": "SB3SACConfig learns the weight of the entropy where entropy_coefficient is None",
    "batch_first": "there is none; time comes first, [T, B, D]",
    "beta": "a VAE weighs its KL by 1; BetaVAE and BetaTCVAE have a beta",
    "callback": "learn(..., callback=...) takes a function of Progress, and theirs",
    "critic_lr": "there is none; one learning_rate serves policy and values",
    "custom_objects": "load(path, learning_rate=...) takes settings in place of recorded ones",
    "device": _BESIDE.replace("num_envs=8, seed=0", "device='cuda'"),
    "env": "it is given beside the settings, as in PPO(env, config)",
    "env_kwargs": "gymnasium.make(id, ...) takes them, and its environment is given: PPO(env)",
    "eval_env": "evaluate(agent, env) measures it there, and a run folder as it trains",
    "eval_freq": "a run folder evaluates, RunConfig(steps, eval_every=...)",
    "exclude": _WHOLE,
    "force_reset": "there is none; who loads begins new episodes",
    "include": _WHOLE,
    "kl_weight": "a VAE weighs its KL by 1; BetaVAE and BetaTCVAE have a beta",
    "log_interval": "a callback sees all that is measured, a run folder has it in metrics.csv",
    "monitor_wrapper": "there is none; the loop counts returns itself",
    "n_critics": "there is none; SB3SAC and SB3TD3 have two",
    "n_envs": _BESIDE,
    "normalize_advantage": "A2C and REINFORCE take advantages as they are; PPO normalises them",
    "num_envs": _BESIDE,
    "optimiser": _ADAM,
    "optimize_memory_usage": "there is none; replay of DQN keeps each frame once",
    "optimizer": _ADAM,
    "ortho_init": "there is none; dense layers of policies begin orthogonal",
    "policy": _NETWORK,
    "policy_kwargs": _NETWORK,
    "print_system_info": "there is none; a run folder has it in config.json",
    "render": "render and play of the command line show episodes; evaluate shows none",
    "replay_buffer_class": _BUFFER,
    "replay_buffer_kwargs": _BUFFER,
    "reset_num_timesteps": "there is none; to learn again is to go on, and a new agent begins at 0",
    "return_episode_rewards": "an Evaluation has them, in returns",
    "reward_threshold": "assert evaluate(agent).mean_return > threshold does it",
    "rms_prop_eps": _ADAM,
    "rollout_buffer_class": _BUFFER,
    "rollout_buffer_kwargs": _BUFFER,
    "rpo_alpha": "there is none",
    "sde_sample_freq": _SDE,
    "seed": _BESIDE,
    "stats_window_size": _RECENT,
    "supported_action_spaces": "there is none; agents refuse spaces that they cannot take",
    "tb_log_name": _EVENTS,
    "tensorboard_log": _EVENTS,
    "use_rms_prop": _ADAM,
    "use_sde": _SDE,
    "use_sde_at_warmup": _SDE,
    "verbose": "learn(..., progress=False) is silent, and shows a bar otherwise",
    "warn": "there is none; no wrapper changes what evaluate counts",
    "weight_decay": "there is none",
}
"""Arguments that are given elsewhere, or nowhere."""

ATTRIBUTES = {
    "action_noise": _NOISE,
    "choose_action": "it is predict(observation)",
    "collect_rollouts": "learn gathers and learns by one loop",
    "dump_logs": _LOGGED,
    "env": "source.make() makes another of its environments",
    "ep_info_buffer": _RECENT,
    "ep_success_buffer": _RECENT,
    "evaluate": "evaluate(agent, episodes=20) is a function of agents",
    "exploration_rate": "it is epsilon",
    "fit": "it is learn(steps)",
    "from_pretrained": "load(path) reads what save wrote, and run folders",
    "get_action": "it is predict(observation)",
    "get_env": "source.make() makes another of its environments",
    "get_parameters": "it is state_dict()",
    "get_vec_normalize_env": "there is none; an agent keeps the statistics that it learned with",
    "load_replay_buffer": "a run folder keeps the rows of replay, and resumes with them",
    "logger": _LOGGED,
    "n_envs": "it is num_envs",
    "num_timestep": "it is steps",
    "num_timesteps": "it is steps",
    "policy": "predict(observation) acts, and the networks are attributes of the agent",
    "policy_class": _NETWORK,
    "policy_kwargs": _NETWORK,
    "presets": "preset(env) makes an agent by one",
    "q_net": "it is online, and q_values(observation) asks it",
    "q_net_target": "it is target",
    "replay_buffer": "it is replay",
    "rollout_buffer": "there is none; rollouts are made anew for every update",
    "save_replay_buffer": "a run folder keeps the rows of replay, and resumes with them",
    "select_action": "it is predict(observation)",
    "set_env": "load(path, env=...) puts what was saved into another environment",
    "set_logger": _LOGGED,
    "set_parameters": "it is load_state_dict(...)",
    "set_random_seed": "everything random follows from seed, as in PPO(env, seed=0)",
    "tensorboard_log": _EVENTS,
    "train": "it is learn(steps)",
    "verbose": "learn(..., progress=False) is silent, and shows a bar otherwise",
}
"""Attributes of agents that are called otherwise."""

SETTINGS = (
    *("batch_size", "buffer_size", "clip_range", "clip_range_vf", "ent_coef"),
    *("exploration_final_eps", "exploration_fraction", "exploration_initial_eps", "gae_lambda"),
    *("gamma", "gradient_steps", "learning_rate", "learning_starts", "max_grad_norm", "n_epochs"),
    *("n_steps", "normalize_advantage", "target_kl", "target_update_interval", "tau", "train_freq"),
    "vf_coef",
)
"""Attributes of agents that are settings here."""
