"""What a training needs whoever does it: models, rows, settings, the loss of a step, and the result with its log."""

import json
import os
import shutil
import sys
import time
from importlib.metadata import version
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.trainer_utils import get_last_checkpoint

from distil import HERE, collate, folder_of, read_json, read_rows, summed_loss

RESULT = HERE / "result"


class Distilled:
    """The loss of `distil.py` for a trainer of transformers. The class beside it has `teacher_logits`."""

    teacher_weight = 1.0
    tokens_read = 0

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        read = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"], "use_cache": False}
        outputs = model(**read)
        taught = None
        # An evaluation measures the cross-entropy alone.
        weight = self.teacher_weight if model.training else 0
        if weight > 0:
            with torch.no_grad():
                taught = self.teacher_logits(read)
        loss, targets = summed_loss(outputs.logits, taught, inputs["labels"], weight)
        if not model.training or num_items_in_batch is None:
            loss = loss / max(1, targets)
        else:
            # One mean over the targets of a whole step: of all its batches, on all devices. Gradients of devices are
            # averaged afterwards, so what each of them adds is multiplied by their number.
            loss = loss / num_items_in_batch
            if self.args.average_tokens_across_devices:
                loss = loss * self.accelerator.num_processes
        if model.training:
            self.tokens_read += int(inputs["attention_mask"].sum())
        return (loss, outputs) if return_outputs else loss


def read_config():
    """The settings. Stops where they make no sense, or a result is there already."""
    config = read_json("config.json")
    if config["method"] not in ("lora", "full"):
        sys.exit('config.json: "method" must be "lora" or "full"')
    if RESULT.exists():
        sys.exit(f"{RESULT} is there already: move it away, or remove it")
    return config


def frozen_type():
    """The type of weights that are not trained: half of float32 where the GPU computes with it."""
    return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float32


def models_of(config):
    """The model that is trained, its teacher, and their tokenizer. Weights that are trained stay in float32."""
    trained = torch.float32 if config["method"] == "full" else frozen_type()
    student = AutoModelForCausalLM.from_pretrained(folder_of("checkpoint"), dtype=trained)
    teacher = AutoModelForCausalLM.from_pretrained(folder_of(config["teacher"]), dtype=frozen_type())
    tokenizer = AutoTokenizer.from_pretrained(folder_of("checkpoint"))
    return student, teacher.eval().requires_grad_(False), tokenizer


def lora_of(config):
    """The adapter, as PEFT takes it; nothing where every weight is trained."""
    if config["method"] != "lora":
        return None
    own = config["lora"]
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=own["rank"],
        lora_alpha=own["alpha"],
        lora_dropout=own["dropout"],
        target_modules=own["target_modules"],
    )


def data_of():
    """What a trainer reads: rows to learn, rows that are held out, and how rows become a batch."""
    held_out = read_rows("data/held-out.jsonl")
    return {
        "train_dataset": Dataset.from_list(read_rows("data/train.jsonl")),
        "eval_dataset": Dataset.from_list(held_out) if held_out else None,
        "data_collator": collate,
    }


def arguments_of(config, data):
    """The settings as arguments of a trainer of transformers."""
    own = config[config["method"]]
    judged = data["eval_dataset"] is not None
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    per_device = min(config["rows_per_device"], config["rows_per_step"])
    return {
        "output_dir": str(HERE / "training"),
        "max_steps": config["steps"],
        "per_device_train_batch_size": per_device,
        "per_device_eval_batch_size": per_device,
        "gradient_accumulation_steps": max(1, round(config["rows_per_step"] / (per_device * processes))),
        "learning_rate": own["learning_rate"],
        "adam_beta1": own["betas"][0],
        "adam_beta2": own["betas"][1],
        "weight_decay": own["weight_decay"],
        "lr_scheduler_type": "linear",
        "warmup_steps": config["warmup"],
        "max_grad_norm": config["clip"],
        "seed": config["seed"],
        "gradient_checkpointing": config["gradient_checkpointing"],
        "bf16": frozen_type() == torch.bfloat16,
        "use_cpu": not torch.cuda.is_available(),
        "logging_steps": 1,
        "eval_strategy": "steps" if judged else "no",
        "eval_steps": config["steps_between_evaluations"],
        "save_strategy": "steps",
        "save_steps": config["steps_between_evaluations"],
        "save_total_limit": 2,
        "load_best_model_at_end": judged,
        "metric_for_best_model": "eval_loss" if judged else None,
        "greater_is_better": False if judged else None,
        "remove_unused_columns": False,
        "report_to": "none",
    }


def train(trainer, config):
    """Trains, or goes on from the last saved step, and writes the result, which is complete or not there."""
    trained = sum(each.numel() for each in trainer.model.parameters() if each.requires_grad)
    saved = trainer.args.output_dir
    last = get_last_checkpoint(saved) if Path(saved).is_dir() else None
    start = time.time()
    trainer.train(resume_from_checkpoint=last)
    seconds = time.time() - start
    partial = HERE / "result.partial"
    if trainer.is_world_process_zero() and partial.exists():
        shutil.rmtree(partial)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(partial))
    trainer.accelerator.wait_for_everyone()
    if not trainer.is_world_process_zero():
        return
    (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle, which Coppice would not read
    log = log_of(trainer, config["method"], trained, seconds)
    (partial / "log.json").write_text(json.dumps(log, indent=2) + "\n")
    partial.rename(RESULT)
    print(f"The result is in {RESULT}. Take it back with: coppice take {HERE} --out DIR")


def log_of(trainer, method, trained, seconds):
    """What happened, for the record of `coppice take`."""
    history = trainer.state.log_history
    best = trainer.state.best_global_step if trainer.args.load_best_model_at_end else None
    return {
        "schema": 1,
        "method": method,
        "parameters": trained,
        "steps": [
            {
                "step": each["step"],
                "loss": each["loss"],
                "learning_rate": each["learning_rate"],
                "grad_norm": float(each["grad_norm"]),
            }
            for each in history
            if "loss" in each
        ],
        "evaluations": [{"step": each["step"], "loss": each["eval_loss"]} for each in history if "eval_loss" in each],
        "kept": best or trainer.state.global_step,
        "seconds": seconds,
        "tokens_per_second": trainer.tokens_read * trainer.accelerator.num_processes / seconds,
        "device": trainer.accelerator.device.type,
        "processes": trainer.accelerator.num_processes,
        "versions": {name: version(name) for name in trainer.packages},
    }
