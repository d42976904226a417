from .encoders import build_encoder as build_encoder
