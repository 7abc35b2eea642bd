"""GPUs without touching one: cards by name, what NVML's errors mean, which card CUDA gives to a program."""
