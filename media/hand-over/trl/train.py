"""
Trains the shortened model, with the original as its teacher, on all GPUs of this machine or of several:

    accelerate launch train.py

`config.json` says how: "method" is "lora" (a small adapter) or "full" (every weight). The result is in `result`, and
`coppice take` reads it. Started again after an interruption, it goes on from the last saved step.
"""

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
from trl import SFTConfig, SFTTrainer

from distil import HERE, collate, folder_of, read_json, read_rows, summed_loss


class DistillationTrainer(SFTTrainer):
    """TRL's trainer with the loss of `distil.py`, and a teacher beside the model."""

    def __init__(self, *args, teacher, teacher_weight, **more):
        super().__init__(*args, **more)
        self.teacher_weight = teacher_weight
        self.tokens_read = 0
        self.teacher = self._placed(teacher.eval().requires_grad_(False))

    def _placed(self, teacher):
        if self.is_deepspeed_enabled:
            from trl.models import prepare_deepspeed

            return prepare_deepspeed(teacher, self.accelerator)
        if self.is_fsdp_enabled:
            from trl.models import prepare_fsdp

            return prepare_fsdp(teacher, self.accelerator)
        return self.accelerator.prepare_model(teacher, evaluation_mode=True)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        read = {"input_ids": inputs["input_ids"], "attention_mask": inputs["attention_mask"]}
        outputs = model(**read, use_cache=False)
        taught = None
        # An evaluation measures the cross-entropy alone.
        weight = self.teacher_weight if model.training else 0
        if weight > 0:
            with torch.no_grad():
                taught = self.teacher(**read, use_cache=False).logits
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


def main():
    config = read_json("config.json")
    method = config["method"]
    if method not in ("lora", "full"):
        sys.exit('config.json: "method" must be "lora" or "full"')
    result = HERE / "result"
    if result.exists():
        sys.exit(f"{result} is there already: move it away, or remove it")

    on_gpu = torch.cuda.is_available()
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    half = torch.bfloat16 if on_gpu and torch.cuda.is_bf16_supported() else torch.float32
    # Weights that are trained stay in float32; frozen ones are kept in half of it where the GPU can.
    student = AutoModelForCausalLM.from_pretrained(
        folder_of("checkpoint"), dtype=torch.float32 if method == "full" else half
    )
    teacher = AutoModelForCausalLM.from_pretrained(folder_of(config["teacher"]), dtype=half)
    tokenizer = AutoTokenizer.from_pretrained(folder_of("checkpoint"))

    rows = read_rows("data/train.jsonl")
    held_out = read_rows("data/held-out.jsonl")
    per_device = min(config["rows_per_device"], config["rows_per_step"])
    batches = max(1, round(config["rows_per_step"] / (per_device * processes)))
    own = config[method]
    arguments = SFTConfig(
        output_dir=str(HERE / "training"),
        max_steps=config["steps"],
        per_device_train_batch_size=per_device,
        per_device_eval_batch_size=per_device,
        gradient_accumulation_steps=batches,
        learning_rate=own["learning_rate"],
        adam_beta1=own["betas"][0],
        adam_beta2=own["betas"][1],
        weight_decay=own["weight_decay"],
        lr_scheduler_type="linear",
        warmup_steps=config["warmup"],
        max_grad_norm=config["clip"],
        seed=config["seed"],
        gradient_checkpointing=config["gradient_checkpointing"],
        bf16=half == torch.bfloat16,
        use_cpu=not on_gpu,
        logging_steps=1,
        eval_strategy="steps" if held_out else "no",
        eval_steps=config["steps_between_evaluations"],
        save_strategy="steps",
        save_steps=config["steps_between_evaluations"],
        save_total_limit=2,
        load_best_model_at_end=bool(held_out),
        metric_for_best_model="eval_loss" if held_out else None,
        greater_is_better=False if held_out else None,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        report_to="none",
    )
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=config["lora"]["rank"],
        lora_alpha=config["lora"]["alpha"],
        lora_dropout=config["lora"]["dropout"],
        target_modules=config["lora"]["target_modules"],
    )
    trainer = DistillationTrainer(
        model=student,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(held_out) if held_out else None,
        data_collator=collate,
        processing_class=tokenizer,
        peft_config=lora if method == "lora" else None,
        teacher=teacher,
        teacher_weight=config["teacher_weight"],
    )
    trained = sum(each.numel() for each in trainer.model.parameters() if each.requires_grad)
    last = get_last_checkpoint(arguments.output_dir) if Path(arguments.output_dir).is_dir() else None
    start = time.time()
    trainer.train(resume_from_checkpoint=last)
    seconds = time.time() - start

    # Written under another name first, so that `result` is complete or not there.
    partial = HERE / "result.partial"
    if trainer.is_world_process_zero() and partial.exists():
        shutil.rmtree(partial)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(partial))
    trainer.accelerator.wait_for_everyone()
    if not trainer.is_world_process_zero():
        return
    (partial / "training_args.bin").unlink(missing_ok=True)  # a pickle, which Coppice would not read
    (partial / "log.json").write_text(json.dumps(log_of(trainer, method, trained, seconds), indent=2) + "\n")
    partial.rename(result)
    print(f"The result is in {result}. Take it back with: coppice take {HERE} --out DIR")


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
        "versions": {name: version(name) for name in ("trl", "peft", "transformers", "accelerate", "torch")},
    }


if __name__ == "__main__":
    main()
