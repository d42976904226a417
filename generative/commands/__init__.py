"""The commands of generative models; `dreamgym COMMAND` finds them by their entry points."""
